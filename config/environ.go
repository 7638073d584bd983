package config

import (
	"os"
	"strings"
)

// OSEnviron is the process's environment. It is the one place where the environment is read.
func OSEnviron() map[string]string {
	env := map[string]string{}
	for _, pair := range os.Environ() {
		if name, value, ok := strings.Cut(pair, "="); ok {
			env[name] = value
		}
	}
	return env
}
