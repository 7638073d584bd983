package rest

// Paths are all routes as "METHOD /path", for the matrix of roles.
func Paths() []string {
	var paths []string
	for _, route := range (&service{}).routes() {
		paths = append(paths, route.method+" "+route.path)
	}
	return paths
}
