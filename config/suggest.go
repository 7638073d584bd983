package config

import "github.com/agnivade/levenshtein"

// nearest is the one of names, the first if there are several, that takes the fewest changes of a
// letter to become name. It is empty only for no names.
func nearest(name string, names []string) string {
	best, distance := "", -1
	for _, candidate := range names {
		if d := levenshtein.ComputeDistance(name, candidate); distance < 0 || d < distance {
			best, distance = candidate, d
		}
	}
	return best
}
