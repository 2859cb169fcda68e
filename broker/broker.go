package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rio-streams/rio/broker/internal/engine"
	"github.com/rio-streams/rio/broker/internal/sasl"
	"github.com/rio-streams/rio/broker/internal/server"
	"github.com/rio-streams/rio/broker/internal/store"
)

// Broker is a running broker. Start creates it; Close stops it.
type Broker struct {
	addr   string
	log    *slog.Logger
	lock   *dirLock // nil for a broker in memory
	store  *store.DB
	engine *engine.Engine
	server *server.Server

	closing  sync.Once
	closed   sync.RWMutex // guards Metrics, called by others, against Close
	isClosed bool
	closeErr error // the result of Close
}

// logDir is the subdirectory of the data directory that holds the log.
const logDir = "rio"

// Start starts a broker that runs until Close. An error says which directory or address could not be used, and how to
// fix it.
func Start(cfg Config) (*Broker, error) {
	host, port, err := cfg.check()
	if err != nil {
		return nil, err
	}
	users, err := cfg.users()
	if err != nil {
		return nil, err
	}
	b := &Broker{log: cfg.Logger}
	dir := ""
	if cfg.DataDir != "" {
		if b.lock, err = lockDir(cfg.DataDir); err != nil {
			return nil, err
		}
		if port == "0" && cfg.KeepPort {
			port = b.lock.lastPort(port)
		}
		dir = filepath.Join(cfg.DataDir, logDir)
	}
	if err := b.start(cfg, dir, net.JoinHostPort(host, port), users); err != nil {
		return nil, errors.Join(err, b.lock.release())
	}
	b.log.Info("broker: started", "address", b.addr, "directory", b.store.Dir(), "durability", cfg.Durability)
	return b, nil
}

func (b *Broker) start(cfg Config, dir, listen string, users *sasl.Users) error {
	listener, err := listenOn(listen)
	if err != nil {
		return err
	}
	b.addr = listener.Addr().String()
	if err := b.open(cfg, dir); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := b.lock.write(b.addr); err != nil {
		b.engine.Close()
		return errors.Join(err, listener.Close(), b.store.Close())
	}
	b.server = server.New(listener, server.Config{
		Engine: b.engine, Logger: cfg.Logger, TLS: cfg.TLS, Users: users, MaxConnections: maxConnections(), MaxMemory: maxMemory,
	})
	return nil
}

// open opens the log and starts the engine on it.
func (b *Broker) open(cfg Config, dir string) (err error) {
	if dir != "" {
		if err := usableDir(dir); err != nil {
			return err
		}
	}
	b.store, err = store.Open(store.Options{
		Dir: dir, Durability: store.Durability(cfg.Durability), OpenFiles: maxOpenFiles(), Logger: cfg.Logger,
	})
	if err != nil {
		return err
	}
	host, text, _ := net.SplitHostPort(b.addr) // the listener's address, with the port it got
	port, _ := strconv.ParseUint(text, 10, 16)
	b.engine, err = engine.Start(engine.Config{
		Store: b.store, Logger: cfg.Logger, Now: time.Now, Host: host, Port: int32(port),
		Partitions: int32(cfg.Partitions), AutoCreateTopics: cfg.AutoCreateTopics,
		MinSession: minSessionTimeout, MaxPartitions: maxPartitions, MaxUnsent: maxUnsent,
	})
	if err != nil {
		return errors.Join(err, b.store.Close())
	}
	return nil
}

// Addr returns the host:port that clients connect to.
func (b *Broker) Addr() string { return b.addr }

// closeTimeout bounds how long Close waits for space on a full disk.
const closeTimeout = 5 * time.Second

// Close stops listening, closes the connections, writes everything to disk and unlocks the data directory. An error
// says what could not be written; every acknowledged record is still there after the next start.
func (b *Broker) Close() error {
	b.closing.Do(func() {
		err := b.server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		context.AfterFunc(ctx, b.store.Release)
		b.engine.Close()
		b.closed.Lock()
		defer b.closed.Unlock()
		b.isClosed = true
		b.closeErr = errors.Join(err, b.store.Close(), b.lock.release())
	})
	return b.closeErr
}

// listenOn opens the port. An address in use is the most common mistake, so the error says how to fix it.
func listenOn(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("broker: listen on %s: another program uses that port; stop it, or choose another with Listen (port 0 takes a free one): %w", address, err)
	case err != nil:
		return nil, fmt.Errorf("broker: listen on %s: %w", address, err)
	}
	return listener, nil
}

// usableDir creates the directory if it is missing, or returns an error that says why it cannot be used.
func usableDir(dir string) error {
	if err := store.MakeDir(dir); err != nil {
		return unusable(dir, err)
	}
	return nil
}

// unusable says why a data directory cannot be used, and how to fix it.
func unusable(dir string, err error) error {
	return fmt.Errorf("broker: data directory %s: %w", dir, store.Explain(err))
}
