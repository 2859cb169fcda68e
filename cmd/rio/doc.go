// Command rio talks to a Kafka cluster, and runs one broker where there is none.
//
//	rio broker -data ./data -listen 127.0.0.1:9092
//	rio topics create vendas --partitions 4
//	echo 'ana	{"valor": 10}' | rio produce vendas
//	rio consume vendas -from-beginning -exit-at-end
//	rio groups describe word-count
//	rio plan ./examples/vendas
//
// What each command prints is meant to be read by people and by grep: one line a thing, aligned columns, and JSON on
// request. What went well ends with exit code 0, what went wrong with 1, and what was asked for wrongly with 2.
//
// One file is one command: it declares its flags and does its work with package kafka. Flags are words, and may be written
// with one dash or two.
package main
