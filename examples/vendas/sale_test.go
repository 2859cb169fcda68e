package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
)

func TestSale(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  Sale
		wrong string
	}{
		{
			text: `{"vendaId": "50001", "vendedor": "ana.silva", "valor": 120.50, "formaPagamento": "PIX"}`,
			want: Sale{ID: "50001", Seller: "ana.silva", Amount: 120_50, Payment: "PIX"},
		},
		{
			text: `{"vendedor":"ana","valor":0,"formaPagamento":"Cr\u00e9dito","loja":7}`,
			want: Sale{Seller: "ana", Payment: "Crédito"},
		},
		{text: `{"vendaId":"1","valor":1,"formaPagamento":"PIX"}`, wrong: "no vendedor"},
		{text: `{"vendaId":"1"}`, wrong: "no vendedor\nno formaPagamento\nno valor"},
		{text: `{"vendedor":"ana","valor":null,"formaPagamento":"PIX"}`, wrong: "no valor"},
		{text: `{"vendedor":"ana","valor":"1.00","formaPagamento":"PIX"}`, wrong: `"1.00" is not a number`},
		{text: `{"vendedor":"ana","valor":1.005,"formaPagamento":"PIX"}`, wrong: "1.005 has fractions of a cent"},
		{text: `{"vendedor":"ana",`, wrong: "unexpected end of JSON input"},
		{text: `null`, wrong: "no vendedor\nno formaPagamento\nno valor"},
	} {
		var got Sale
		err := json.Unmarshal([]byte(c.text), &got)
		switch {
		case c.wrong != "":
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%s: error %v, want %q", c.text, err, c.wrong)
			}
		case err != nil || got != c.want:
			t.Errorf("%s = %+v, %v, want %+v", c.text, got, err, c.want)
		}
	}
}

func TestMoney(t *testing.T) {
	for text, want := range map[string]string{
		"120.50": "120.50", "120.5": "120.50", "120": "120.00", "0.1": "0.10", "0": "0.00", "-0.00": "0.00",
		"-0.05": "-0.05", "-120.50": "-120.50", "1.205E+2": "120.50", "1.0E7": "10000000.00", "5e-2": "0.05", "12050e-2": "120.50",
		"1.000": "1.00", "0e20": "0.00", "500e-4": "0.05", "90071992547409.93": "90071992547409.93",
		"92233720368547758.07": "92233720368547758.07", "-92233720368547758.08": "-92233720368547758.08",

		"0.001": "has fractions", "5e-3": "has fractions", "1e-20": "has fractions", "1e21": "not an amount", "1e999999999999": "not an amount",
		"92233720368547758.08": "too large", "1e20": "too large", `"1"`: "not a number", "true": "not a number",
	} {
		var m Money
		err := json.Unmarshal([]byte(text), &m)
		got := m.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
		if err != nil {
			continue
		}
		data, err := json.Marshal(m)
		if string(data) != got || err != nil {
			t.Errorf("%s is written as %s, %v", got, data, err)
		}
	}
}

func TestTotalIsExact(t *testing.T) {
	var total Total
	for range 10 {
		var dime Money
		if err := json.Unmarshal([]byte("0.10"), &dime); err != nil {
			t.Fatal(err)
		}
		total = total.Add(Sale{Amount: dime})
	}
	if got, want := fmt.Sprint(total), "{10 1.00}"; got != want {
		t.Errorf("ten times 0.10 is %s, want %s", got, want)
	}
}

// TestSum: a sum does not overflow, and it is encoded and decoded without loss.
func TestSum(t *testing.T) {
	for _, test := range []struct {
		terms []Money
		want  string
	}{
		{nil, "0.00"},
		{[]Money{5}, "0.05"},
		{[]Money{-5}, "-0.05"},
		{[]Money{-100_50, 50}, "-100.00"},
		{[]Money{math.MaxInt64, math.MaxInt64, 2}, "184467440737095516.16"},
		{[]Money{math.MinInt64, math.MinInt64}, "-184467440737095516.16"},
	} {
		var sum Sum
		for _, m := range test.terms {
			sum = sum.Plus(m)
		}
		data, err := json.Marshal(sum)
		if err != nil || string(data) != test.want {
			t.Errorf("sum of %v is %s, %v; want %s", test.terms, data, err, test.want)
		}
		var back Sum
		if err := json.Unmarshal(data, &back); err != nil || back.String() != test.want {
			t.Errorf("%s is read back as %v, %v", data, back, err)
		}
	}
}

// FuzzMoney: a number is parsed exactly, or not at all.
func FuzzMoney(f *testing.F) {
	for _, text := range []string{"120.50", "-0.05", "1.205E+2", "5e-2", "0e20", "1e21", "92233720368547758.08", "1.000", `"1"`, "-"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var m Money
		if json.Unmarshal([]byte(text), &m) != nil || strings.TrimSpace(text) == "null" {
			return
		}
		want, ok := new(big.Rat).SetString(strings.TrimSpace(text))
		if got := big.NewRat(int64(m), 100); !ok || got.Cmp(want) != 0 {
			t.Errorf("%s is read as %s", text, m)
		}
	})
}
