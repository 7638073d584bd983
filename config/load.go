package config

// Source says where [Load] looks.
type Source struct {
	ConfigFile  string            // --config; empty: codex.conf in the instance folder
	InstanceDir string            // --instance; empty: see the package's documentation
	WorkDir     string            // the working directory, from which relative paths begin
	Env         map[string]string // the environment, as OSEnviron gives it
}

type setting struct{}
