// Command rio is a client of Kafka clusters, and can run a broker.
//
//	rio broker -data ./data -listen 127.0.0.1:9092
//	rio topics create vendas --partitions 4
//	echo 'ana	{"valor": 10}' | rio produce vendas
//	rio consume vendas -from-beginning -exit-at-end
//	rio groups describe word-count
//	rio plan ./examples/vendas
//
// The output is for people and for grep: one item per line, aligned columns, and JSON on request. The exit code is 0
// for success, 1 for failure, and 2 for a wrong command line.
//
// Each file is one command: it declares its flags and does its work with package kafka. Long flags may be written with
// one dash or two.
package main
