package jobs

// LeaseName is for tests that take the lease away.
const LeaseName = leaseName
