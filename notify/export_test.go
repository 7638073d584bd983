package notify

// What tests of the package's outside look into.
var (
	After = after
	Claim = claim
	Kept  = kept
)

// LeaseName is the lease of who delivers.
const LeaseName = leaseName
