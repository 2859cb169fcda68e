package main

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rio-streams/rio/topologytest"
)

// TestRecipes runs the script of each recipe.
func TestRecipes(t *testing.T) {
	for name, recipe := range recipes {
		t.Run(name, func(t *testing.T) {
			top, err := recipe.build()
			if err != nil {
				t.Fatal(err)
			}
			topologytest.Run(t, "testdata/"+name, top, topologytest.Config{})
		})
	}
	scripts, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		if _, known := recipes[script.Name()]; !known {
			t.Errorf("testdata/%s is the script of no recipe", script.Name())
		}
	}
}

func TestArguments(t *testing.T) {
	for args, want := range map[string]string{
		"":               "visitas   click sessions",
		"visitas":        "application visitas\n",
		"visita":         "error: want one recipe of catalogo, credito, dias,",
		"visitas totais": "error: want one recipe of",
	} {
		var out strings.Builder
		if err := run(t.Context(), strings.Fields(args), &out); err != nil {
			out.WriteString("error: " + err.Error())
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("cookbook %s:\n%s\nwant %s", args, out.String(), want)
		}
	}
	if names := slices.Sorted(maps.Keys(recipes)); len(names) < 10 {
		t.Errorf("recipes: %v", names)
	}
}
