package broker

// A process may open only so many files and connections. Clients get half of them and the log a quarter, so that no number of
// clients can keep the log from opening a file, and something is left for the program around the broker.

func maxConnections() int { return min(mostConnections, descriptors()/2) }

func maxOpenFiles() int { return min(mostOpenFiles, descriptors()/4) }
