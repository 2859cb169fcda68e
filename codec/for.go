package codec

// For picks the default codec of a type.
func For[T any]() Codec[T] {
	var codec any
	switch any(*new(T)).(type) {
	case string:
		codec = String
	case int64:
		codec = Int64
	case float64:
		codec = Float64
	case []byte:
		codec = Bytes
	default:
		return JSON[T]()
	}
	return codec.(Codec[T])
}
