package freshservice

// SetPageSize makes c read n records a page, so that few records make many pages.
func SetPageSize(c *Client, n int) { c.perPage = n }
