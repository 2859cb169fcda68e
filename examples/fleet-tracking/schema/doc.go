// Package schema describes the JSON of topics for programs in other languages: it finds the fields of a value by reflection and what they
// mean in the comments of the Go source, so that a description cannot differ from the program.
//
//	comments.go   what comments say of fields and constants
//	value.go      the form of a value
//	check.go      whether a record has that form
//	json.go       the form as a JSON Schema
//	markdown.go   the form as a table
package schema
