package customers

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
)

// links makes and checks the links of pages. A link has a key of 128 bits that only who knows the secret can make, so that nobody finds the
// page of another delivery by trying. It holds for as long as the secret does.
type links struct{ secret []byte }

func newLinks(secret string) links {
	if secret == "" {
		secret = rand.Text()
	}
	return links{[]byte(secret)}
}

// page returns the path of the page of a delivery.
func (l links) page(delivery string) string {
	return "/entregas/" + url.PathEscape(delivery) + "/" + l.key("entrega", delivery)
}

// list returns the path of the list.
func (l links) list() string { return "/lista/" + l.key("lista", "") }

func (l links) key(kind, name string) string {
	mac := hmac.New(sha256.New, l.secret)
	mac.Write([]byte(kind + "\x00" + name))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// fits reports whether a key is that of a page.
func (l links) fits(key, kind, name string) bool {
	return hmac.Equal([]byte(key), []byte(l.key(kind, name)))
}
