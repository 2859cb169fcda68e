package similar_test

import (
	"testing"

	"github.com/rio-streams/rio/internal/similar"
)

func TestHint(t *testing.T) {
	topics := []string{"comercial", "localizacao-veiculos", "atrasos", "desvios-de-rota", "vendas-por-hora"}
	for misspelt, want := range map[string]string{
		"comercal":             "; did you mean comercial?",
		"Comercial":            "; did you mean comercial?",
		"localizacao-veículos": "; did you mean localizacao-veiculos?",
		"atraso":               "; did you mean atrasos?",
		"vendas":               "; did you mean vendas-por-hora?",
		"clientes":             "",
		"":                     "",
	} {
		if got := similar.Hint(misspelt, topics); got != want {
			t.Errorf("%q: %q, want %q", misspelt, got, want)
		}
	}
	if got := similar.Hint("ab", []string{"abc", "abd", "abe", "abf"}); got != "; did you mean abc or abd or abe?" {
		t.Errorf("many candidates: %q", got)
	}
}
