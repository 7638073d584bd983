module github.com/hivematrix/codex

go 1.26
