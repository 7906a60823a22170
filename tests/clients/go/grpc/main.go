// Command grpc calls the task service, checks the health of the task and notification services, and watches tasks. It
// exits with status 1 at the first response that violates the protos.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"slices"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	taskv1 "taskmesh.test/clients/gen/task/v1"
)

func main() {
	log.SetFlags(0)
	taskTarget := flag.String("task", "", "HOST:PORT of the task service, or of the gateway")
	notifyTarget := flag.String("notify", "", "HOST:PORT of the notification service, or of the gateway")
	caller := flag.String("caller", "", "NAME=VALUE: the metadata that identifies the caller")
	watchSeconds := flag.Int("watch-seconds", 60, "how long to watch")
	flag.Parse()
	name, value, _ := strings.Cut(*caller, "=")
	ctx := metadata.AppendToOutgoingContext(context.Background(), name, value)

	conn := dial(*taskTarget, "task.mesh.localhost")
	tasks := taskv1.NewTaskServiceClient(conn)
	checkCalls(ctx, tasks)
	checkErrors(ctx, tasks)
	checkHealth(conn, "task.v1.TaskService")
	checkHealth(dial(*notifyTarget, "notify.mesh.localhost"), "notify.v1.NotificationService")
	fmt.Println("  calls, errors and health: ok")

	pings := keepalive.ClientParameters{Time: 10 * time.Second, PermitWithoutStream: true}
	pinging := dial(*taskTarget, "task.mesh.localhost", grpc.WithKeepaliveParams(pings))
	checkWatches(ctx, tasks, time.Duration(*watchSeconds)*time.Second,
		&watch{name: "default settings", tasks: tasks},
		&watch{name: "keepalive of 10 s", tasks: taskv1.NewTaskServiceClient(pinging)})
}

func dial(target, host string, options ...grpc.DialOption) *grpc.ClientConn {
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(host))
	return must(grpc.NewClient(target, options...))
}

func checkCalls(ctx context.Context, tasks taskv1.TaskServiceClient) {
	label := fmt.Sprintf("go-%d", time.Now().UnixNano())
	task := &taskv1.Task{Title: "Call", Description: strings.Repeat("long ", 1000), Labels: []string{label}}
	request := &taskv1.CreateTaskRequest{Task: task, RequestId: label}
	created := must(tasks.CreateTask(ctx, request)).Task
	again := must(tasks.CreateTask(ctx, request, grpc.UseCompressor(gzip.Name))).Task
	check(again.Id == created.Id && again.Description == task.Description, "one request_id makes one task, also with gzip")

	change := &taskv1.Task{Id: created.Id, Title: "Answer", Description: "not in the mask", Etag: created.Etag}
	update := &taskv1.UpdateTaskRequest{Task: change, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"title"}}}
	updated := must(tasks.UpdateTask(ctx, update)).Task
	check(updated.Title == "Answer" && updated.Description == task.Description, "an update changes only masked fields")
	_, err := tasks.UpdateTask(ctx, update)
	checkError(err, codes.Aborted, "ETAG_MISMATCH")

	create(ctx, tasks, label)
	create(ctx, tasks, label)
	list := &taskv1.ListTasksRequest{PageSize: 2, Labels: []string{label}}
	first := must(tasks.ListTasks(ctx, list))
	list.PageToken = first.NextPageToken
	second := must(tasks.ListTasks(ctx, list))
	check(len(first.Tasks) == 2 && len(second.Tasks) == 1 && second.NextPageToken == "", "three tasks are two pages")

	must(tasks.DeleteTask(ctx, &taskv1.DeleteTaskRequest{Id: created.Id}))
	_, err = tasks.GetTask(ctx, &taskv1.GetTaskRequest{Id: created.Id})
	checkError(err, codes.NotFound, "TASK_NOT_FOUND")
	must(tasks.UndeleteTask(ctx, &taskv1.UndeleteTaskRequest{Id: created.Id}))
	check(must(tasks.GetTask(ctx, &taskv1.GetTaskRequest{Id: created.Id})).Task.DeleteTime == nil, "undelete restores it")
}

func checkErrors(ctx context.Context, tasks taskv1.TaskServiceClient) {
	bad := &taskv1.Task{Description: "\x00", Labels: []string{"twice", "twice"}}
	_, err := tasks.CreateTask(ctx, &taskv1.CreateTaskRequest{Task: bad})
	checkError(err, codes.InvalidArgument, "INVALID_FIELD", "task.title", "task.description", "task.labels[1]")
	_, err = tasks.ListTasks(ctx, &taskv1.ListTasksRequest{PageSize: -1, OrderBy: "size"})
	checkError(err, codes.InvalidArgument, "INVALID_FIELD", "page_size", "order_by")

	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	for stream := must(tasks.WatchTasks(short, &taskv1.WatchTasksRequest{})); status.Code(err) != codes.DeadlineExceeded; {
		_, err = stream.Recv()
		check(time.Since(begun) < time.Second, "a deadline of 50 ms ends a watch within a second")
	}
}

// checkError checks a status code, the reason in its ErrorInfo, and the fields in its BadRequest, in any order.
func checkError(err error, code codes.Code, reason string, fields ...string) {
	var foundReason string
	var foundFields []string
	for _, detail := range status.Convert(err).Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			foundReason = detail.Reason
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				foundFields = append(foundFields, violation.Field)
			}
		}
	}
	slices.Sort(fields)
	slices.Sort(foundFields)
	check(status.Code(err) == code && foundReason == reason && slices.Equal(foundFields, fields),
		"expected %v %s %v, got %v %s %v", code, reason, fields, err, foundReason, foundFields)
}

func checkHealth(conn *grpc.ClientConn, service string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	health, request := grpc_health_v1.NewHealthClient(conn), &grpc_health_v1.HealthCheckRequest{Service: service}
	check(must(health.Check(ctx, request)).Status == grpc_health_v1.HealthCheckResponse_SERVING, "%s is SERVING", service)
	watched := must(must(health.Watch(ctx, request)).Recv())
	check(watched.Status == grpc_health_v1.HealthCheckResponse_SERVING, "%s is SERVING in Watch", service)
}

func create(ctx context.Context, tasks taskv1.TaskServiceClient, label string) string {
	task := &taskv1.Task{Title: "Watch", Labels: []string{label}}
	return must(tasks.CreateTask(ctx, &taskv1.CreateTaskRequest{Task: task})).Task.Id
}

func check(ok bool, expectation string, arguments ...any) {
	if !ok {
		log.Fatalf("  failed: "+expectation, arguments...)
	}
}

func must[T any](value T, err error) T {
	check(err == nil, "no error expected, got %v", err)
	return value
}
