package broker

// A process may open only a limited number of files and connections. Clients get half of them and the log a quarter, so
// that connections cannot keep the log from opening a file, and the program that embeds the broker has some left.

func maxConnections() int { return min(mostConnections, descriptors()/2) }

func maxOpenFiles() int { return min(mostOpenFiles, descriptors()/4) }
