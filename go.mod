module devhook

go 1.26.0
