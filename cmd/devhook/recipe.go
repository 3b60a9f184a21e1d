package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"devhook/internal/config"
	"devhook/internal/similar"
	"devhook/internal/terminal"
	"devhook/internal/yamlx"
	"devhook/replay"
	"devhook/verify"
)

// recipePath returns the file of a recipe: arg itself if it is a file, as for the
// arguments of replay, and else recipes/NAME.yaml beside devhook.yaml or, without
// one, beside the store.
func (s *sending) recipePath(arg string) (string, error) {
	if arg == "" || arg == "-" {
		return "", &failure{code: 2, text: "a recipe has a name, or is a file", hint: "devhook replay last --mutate NAME"}
	}
	if isFile(arg) {
		return arg, nil
	}
	cfg, err := s.p.load(s.p.source(s.c, nil))
	if err != nil {
		return "", err
	}
	return filepath.Join(besideConfig(cfg, s.p.storeDir(s.c), "recipes"), arg+".yaml"), nil
}

// recipe returns the changes of a recipe.
func (s *sending) recipe(arg string) ([]replay.Mutation, error) {
	path, err := s.recipePath(arg)
	if err != nil {
		return nil, err
	}
	src, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !isFile(arg) {
		f := &failure{code: 2, text: "there is no recipe " + arg, err: err, hint: "devhook replay last --set PATH=VALUE --save-as " + arg}
		if names := recipeNames(filepath.Dir(path)); len(names) > 0 {
			f.text += " (near: " + strings.Join(similar.Near(arg, names, 3), ", ") + ")"
		}
		return nil, f
	}
	if err != nil {
		return nil, &failure{code: 2, text: "--mutate: " + err.Error(), err: err}
	}
	r, err := replay.ParseRecipe(src)
	if err != nil {
		return nil, inFile(path, err)
	}
	return r.Changes, nil
}

// inFile returns the failure of a file of YAML, with the place in it.
func inFile(path string, err error) *failure {
	sep := ": "
	var at *yamlx.Error
	var own *verify.ParseError
	if errors.As(err, &at) && at.Line > 0 || errors.As(err, &own) && own.Line > 0 {
		sep = ":"
	}
	return &failure{code: 2, text: path + sep + err.Error(), err: err}
}

func recipeNames(dir string) []string {
	files, _ := filepath.Glob(filepath.Join(dir, "*.yaml"))
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".yaml")
	}
	slices.Sort(files)
	return files
}

// newRecipe returns the file that --save-as makes, "" if it is not given.
func (s *sending) newRecipe() (string, error) {
	if !s.c.IsSet("save-as") {
		return "", nil
	}
	path, err := s.recipePath(s.c.String("save-as"))
	if err != nil {
		return "", err
	}
	if _, err := os.Lstat(path); err == nil {
		return "", &failure{code: 2, text: path + " is there already", hint: "give it another name, or remove it"}
	}
	if len(s.typed) == 0 && !s.c.Bool("edit") {
		return "", &failure{code: 2, text: "--save-as: nothing is changed that could be saved", hint: "devhook replay last --set PATH=VALUE --save-as NAME"}
	}
	return path, nil
}

// keepRecipe writes the changes into the file of --save-as.
func (s *sending) keepRecipe() error {
	if s.saveAs == "" || len(s.changes) == 0 {
		return nil
	}
	name := strings.TrimSuffix(filepath.Base(s.saveAs), filepath.Ext(s.saveAs))
	src, err := replay.Recipe{Name: name, Changes: s.changes}.Source()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.saveAs), 0o700); err != nil {
		return &failure{code: 2, text: "--save-as: " + err.Error(), err: err}
	}
	if err := config.WriteFile(s.saveAs, src); err != nil {
		return &failure{code: 2, text: "--save-as: " + err.Error(), err: err}
	}
	arg := s.c.String("save-as")
	s.errs.Printf("%s keeps the changes; devhook replay last --mutate %s makes them again", terminal.Safe(s.saveAs), terminal.Safe(arg))
	return nil
}
