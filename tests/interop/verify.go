// A verifier of our published directory that none of our code is in: the note and tlog
// packages of Go's checksum database, as Debian ships them.  Only the paths, the three
// lines of a checkpoint and the bundles are read here, as C2SP has them.
//
//	verify DIR VKEY all            every entry against every tile and the root
//	verify DIR VKEY entry N        proof of entry N, made from the tiles and checked
//	verify DIR VKEY since FILE     consistency with an older checkpoint
//	verify DIR VKEY proof FILE N   a proof file of entry N as `audit prove` writes it, which
//	                               is a C2SP tlog-proof: read whole, its extra line skipped
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func demand(ok bool, format string, args ...any) {
	if !ok {
		check(fmt.Errorf(format, args...))
	}
}

// open verifies a checkpoint; ParseTree takes the origin of the Go database alone.
func open(data []byte, vkey string) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	signed, err := note.Open(data, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(signed.Text, "\n")
	demand(len(lines) == 4 && lines[3] == "", "not three lines: %q", signed.Text)
	demand(lines[0] == verifier.Name(), "origin %q", lines[0])
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	hash, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: hash}
}

// directory reads tiles by their C2SP paths: no height, and entries for data.
type directory string

func (d directory) path(t tlog.Tile) string {
	path := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
	return filepath.Join(string(d), strings.Replace(path, "/data/", "/entries/", 1))
}

func (d directory) Height() int { return 8 }

func (d directory) SaveTiles([]tlog.Tile, [][]byte) {}

func (d directory) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		found, err := os.ReadFile(d.path(tile))
		if err != nil {
			return nil, err
		}
		data = append(data, found)
	}
	return data, nil
}

func (d directory) entries(tile tlog.Tile) (entries [][]byte) {
	tile.L = -1
	data, err := os.ReadFile(d.path(tile))
	check(err)
	for len(data) > 0 {
		demand(len(data) >= 2, "bundle cut short")
		length := int(binary.BigEndian.Uint16(data))
		demand(len(data) >= 2+length, "bundle cut short")
		entries = append(entries, data[2:2+length])
		data = data[2+length:]
	}
	demand(len(entries) == tile.W, "%d entries, not %d", len(entries), tile.W)
	return entries
}

// all computes every hash from the entries and compares every tile of that size.
func (d directory) all(tree tlog.Tree) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (found []tlog.Hash, err error) {
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	tiles := map[tlog.Tile]bool{}
	for _, tile := range tlog.NewTiles(8, 0, tree.N) {
		place := tile
		place.W = 0
		if !tiles[place] {
			tiles[place] = true
		}
	}
	number := int64(0)
	for number < tree.N {
		width := min(256, tree.N-number)
		for _, entry := range d.entries(tlog.Tile{H: 8, N: number / 256, W: int(width)}) {
			hashes, err := tlog.StoredHashes(number, entry, reader)
			check(err)
			stored = append(stored, hashes...)
			number++
		}
	}
	if tree.N > 0 { // TreeHash(0) says zeros, RFC 6962 the hash of nothing
		root, err := tlog.TreeHash(tree.N, reader)
		check(err)
		demand(root == tree.Hash, "root of the entries is %v", root)
	}
	for place := range tiles {
		tile := place
		tile.W = int(min(256, tree.N>>(8*uint(tile.L))-tile.N*256))
		want, err := tlog.ReadTileData(tile, reader)
		check(err)
		got, err := os.ReadFile(d.path(tile))
		check(err)
		demand(bytes.Equal(want, got), "%s has other hashes", d.path(tile))
	}
	fmt.Printf("%d entries %d tiles\n", number, len(tiles))
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

func (d directory) entry(tree tlog.Tree, number int64) []byte {
	width := int(min(256, tree.N-number/256*256))
	return d.entries(tlog.Tile{H: 8, N: number / 256, W: width})[number%256]
}

func hashes(lines []string) (found []tlog.Hash) {
	for _, line := range lines {
		data, err := base64.StdEncoding.Strict().DecodeString(line)
		check(err)
		demand(len(data) == 32, "%q is no hash", line)
		found = append(found, tlog.Hash(*(*[32]byte)(data)))
	}
	return found
}

func lines(path string) []string {
	data, err := os.ReadFile(path)
	check(err)
	return strings.Split(string(data), "\n")
}

func number(text string) int64 {
	found, err := strconv.ParseInt(text, 10, 64)
	check(err)
	return found
}

func main() {
	dir, vkey, what, rest := directory(os.Args[1]), os.Args[2], os.Args[3], os.Args[4:]
	data, err := os.ReadFile(filepath.Join(string(dir), "checkpoint"))
	check(err)
	tree := open(data, vkey)
	reader := tlog.TileHashReader(tree, dir)
	switch what {
	case "all":
		dir.all(tree)
	case "entry":
		n := number(rest[0])
		proof, err := tlog.ProveRecord(tree.N, n, reader)
		check(err)
		leaf := tlog.RecordHash(dir.entry(tree, n))
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaf))
		fmt.Println(len(proof))
	case "since":
		old, err := os.ReadFile(rest[0])
		check(err)
		before := open(old, vkey)
		proof, err := tlog.ProveTree(tree.N, before.N, reader)
		check(err)
		check(tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash))
		fmt.Println(len(proof))
	case "proof":
		text := lines(rest[0])
		demand(text[0] == "c2sp.org/tlog-proof@v1", "%q", text[0])
		if strings.HasPrefix(text[1], "extra ") {
			text = text[1:]
		}
		demand(text[1] == "index "+rest[1], "%q", text[1])
		end := 2
		for text[end] != "" {
			end++
		}
		head := open([]byte(strings.Join(text[end+1:], "\n")), vkey)
		n := number(rest[1])
		leaf := tlog.RecordHash(dir.entry(tree, n))
		check(tlog.CheckRecord(hashes(text[2:end]), head.N, head.Hash, n, leaf))
		fmt.Println(head.N)
	}
}
