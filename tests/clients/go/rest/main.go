// Command rest creates a task and lists tasks: go run ./rest http://127.0.0.1:8000.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"taskmesh.test/clients/rest/api"
)

func main() {
	ctx := context.Background()
	client, err := api.NewClientWithResponses(os.Args[1], api.WithRequestEditorFn(sendKey))
	if err != nil {
		log.Fatal(err)
	}
	created, err := client.CreateTaskWithResponse(ctx, nil, api.NewTask{Title: "Buy milk"})
	if err != nil {
		log.Fatal(err)
	}
	if created.JSON201 == nil {
		log.Fatal(created.Status())
	}
	fmt.Println(created.JSON201.Id)
	listed, err := client.ListTasksWithResponse(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	if listed.JSON200 == nil {
		log.Fatal(listed.Status())
	}
	for _, task := range listed.JSON200.Tasks {
		fmt.Println(task.Title)
	}
}

func sendKey(_ context.Context, request *http.Request) error {
	request.Header.Set("x-api-key", "demo-key")
	return nil
}
