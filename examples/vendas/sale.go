package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Sale is one sale, a value of the topic.
type Sale struct {
	ID      string `json:"vendaId"`
	Seller  string `json:"vendedor"`
	Amount  Money  `json:"valor"`
	Payment string `json:"formaPagamento"`
}

// SoldBy returns the seller.
func (s Sale) SoldBy() string { return s.Seller }

// Number returns the number of the sale, which is unique.
func (s Sale) Number() string { return s.ID }

// PaidBy returns the payment method.
func (s Sale) PaidBy() string { return s.Payment }

// UnmarshalJSON parses a sale. A sale without a seller, an amount or a payment method is an error, because it belongs to no
// total.
func (s *Sale) UnmarshalJSON(data []byte) error {
	type plain Sale // without this method
	fields := struct {
		*plain
		Amount *Money `json:"valor"`
	}{plain: (*plain)(s)}
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	var missing []error
	if s.Seller == "" {
		missing = append(missing, errors.New("no vendedor"))
	}
	if s.Payment == "" {
		missing = append(missing, errors.New("no formaPagamento"))
	}
	if fields.Amount == nil {
		missing = append(missing, errors.New("no valor"))
		return errors.Join(missing...)
	}
	s.Amount = *fields.Amount
	return errors.Join(missing...)
}

// Total is the sum of some sales. The zero value is the sum of none.
type Total struct {
	Sales  int64 `json:"vendas"`
	Amount Sum   `json:"total"`
}

// Add returns the total with one more sale.
func (t Total) Add(s Sale) Total { return Total{Sales: t.Sales + 1, Amount: t.Amount.Plus(s.Amount)} }

// Sum is a sum of money of any size: it cannot overflow, unlike Money. The zero value is 0. In JSON it is like Money.
type Sum struct{ cents *big.Int }

// Plus returns the sum of s and m.
func (s Sum) Plus(m Money) Sum {
	cents := big.NewInt(int64(m))
	if s.cents != nil {
		cents.Add(cents, s.cents)
	}
	return Sum{cents}
}

// String returns "120.50".
func (s Sum) String() string {
	if s.cents == nil {
		return Money(0).String()
	}
	sign, digits := "", s.cents.String()
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	digits = strings.Repeat("0", max(0, 3-len(digits))) + digits
	point := len(digits) - 2
	return sign + digits[:point] + "." + digits[point:]
}

// MarshalJSON writes 120.50.
func (s Sum) MarshalJSON() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalJSON parses any JSON number that is a whole number of cents.
func (s *Sum) UnmarshalJSON(data []byte) error {
	digits, err := centsOf(data)
	if err != nil {
		return err
	}
	s.cents, _ = new(big.Int).SetString(digits, 10)
	return nil
}

// Money is an amount in cents. In JSON it is a number with two decimals, such as 120.50. It is never converted to a
// floating-point number, so 0.1 + 0.2 is exactly 0.30.
type Money int64

// String returns "120.50".
func (m Money) String() string {
	sign, cents := "", uint64(m)
	if m < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100)
}

// MarshalJSON writes 120.50.
func (m Money) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalJSON parses any JSON number that is a whole number of cents: 120.50, 120.5, 120, 1.205E+2.
func (m *Money) UnmarshalJSON(data []byte) error {
	digits, err := centsOf(data)
	if err != nil {
		return err
	}
	cents, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is too large for one sale", data)
	}
	*m = Money(cents)
	return nil
}

// centsOf returns the digits of a JSON number of units as a number of cents, without floating-point arithmetic.
func centsOf(data []byte) (string, error) {
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil || data[0] == '"' || number == "" {
		return "", fmt.Errorf("%s is not a number", data)
	}
	text := number.String()
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	shift := 0
	if exponent != "" {
		var err error
		if shift, err = strconv.Atoi(exponent); err != nil || shift < -20 || shift > 20 {
			return "", fmt.Errorf("%s is not an amount of money", text)
		}
	}
	digits := whole + fraction
	point := len(whole) + shift + 2 // position of the decimal point after the conversion to cents
	switch {
	case point > len(digits):
		digits += strings.Repeat("0", point-len(digits))
	case point < len(digits):
		point = max(point, 0)
		if strings.Trim(digits[point:], "-0") != "" {
			return "", fmt.Errorf("%s has fractions of a cent", text)
		}
		digits = digits[:point]
	}
	if digits == "" || digits == "-" {
		return "0", nil
	}
	return digits, nil
}
