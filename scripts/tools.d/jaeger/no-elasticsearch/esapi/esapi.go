// Package esapi has what Jaeger names of the package that it stands in for.
package esapi

import "io"

type Response struct{ StatusCode int }

type Indices struct {
	PutIndexTemplate func(name string, body io.Reader) (*Response, error)
}
