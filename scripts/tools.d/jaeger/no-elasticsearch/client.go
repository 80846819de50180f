// Package elasticsearch stands in for the client of that database, which is two thirds of what Jaeger compiles. The tests keep
// traces on disk, so nothing here is ever called.
package elasticsearch

import (
	"errors"
	"net/http"

	"github.com/elastic/go-elasticsearch/v9/esapi"
)

type Config struct {
	Addresses                                 []string
	Username, Password                        string
	Header                                    http.Header
	Transport                                 http.RoundTripper
	DiscoverNodesOnStart, CompressRequestBody bool
}

type Client struct{ Indices *esapi.Indices }

func NewClient(Config) (*Client, error) {
	return nil, errors.New("this Jaeger is built without Elasticsearch")
}
