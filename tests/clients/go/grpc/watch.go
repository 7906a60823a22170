package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	taskv1 "taskmesh.test/clients/gen/task/v1"
)

const (
	createInterval = 20 * time.Second
	catchUpLimit   = 10 * time.Second
	shortestWatch  = 239 * time.Second // the contract says four to five minutes; one second is for measurement error
)

type watch struct {
	name  string
	tasks taskv1.TaskServiceClient
	token string
	seen  map[string]bool
}

// checkWatches creates a task every 20 s, and one after each end of a stream, before the watch resumes. After the given
// time it ends each watch, which must then resume and receive every change within 10 s.
func checkWatches(ctx context.Context, tasks taskv1.TaskServiceClient, length time.Duration, watches ...*watch) {
	var created []string
	var lock sync.Mutex
	createNext := func() []string {
		lock.Lock()
		defer lock.Unlock()
		created = append(created, create(ctx, tasks, "watch"))
		return slices.Clone(created)
	}
	go func() {
		for range time.Tick(createInterval) {
			createNext()
		}
	}()
	var following sync.WaitGroup
	until := time.Now().Add(length)
	for _, each := range watches {
		following.Go(func() { each.follow(ctx, until, createNext) })
	}
	following.Wait()
}

func (w *watch) follow(ctx context.Context, until time.Time, createNext func() []string) {
	w.seen = map[string]bool{}
	var created []string
	for time.Now().Before(until) {
		begun := time.Now()
		end := w.readStream(ctx, until, nil)
		lasted := time.Since(begun)
		fmt.Printf("  watch, %s: lasted %.0f s, ended with %v\n", w.name, lasted.Seconds(), describe(end))
		isOK := end == io.EOF && lasted > shortestWatch
		isOurs := status.Code(end) == codes.Canceled && !time.Now().Before(until)
		check(isOK || isOurs, "a watch ends with OK after four to five minutes")
		created = createNext()
	}
	w.readStream(ctx, time.Now().Add(catchUpLimit), created)
	missing := w.missing(created)
	fmt.Printf("  watch, %s: %d of %d changes received\n", w.name, len(created)-missing, len(created))
	check(missing == 0, "a watch that resumes with its last token misses no change")
}

// readStream reads one stream until it ends, the time is up, or all wanted tasks (if any) were received.
func (w *watch) readStream(ctx context.Context, until time.Time, wanted []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer time.AfterFunc(time.Until(until), cancel).Stop()
	stream, err := w.tasks.WatchTasks(ctx, &taskv1.WatchTasksRequest{ResumeToken: w.token})
	for err == nil && (wanted == nil || w.missing(wanted) > 0) {
		var message *taskv1.WatchTasksResponse
		if message, err = stream.Recv(); err == nil {
			check(!message.Reset_, "%s: no reset", w.name)
			w.token = message.ResumeToken
			w.seen[message.Change.GetTask().GetId()] = true
		}
	}
	return err
}

func (w *watch) missing(created []string) int {
	return len(slices.DeleteFunc(slices.Clone(created), func(id string) bool { return w.seen[id] }))
}

func describe(end error) string {
	if end == io.EOF {
		return "OK"
	}
	return fmt.Sprintf("%v %q", status.Code(end), status.Convert(end).Message())
}
