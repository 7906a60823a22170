"""Creates a task and lists tasks: `example.py http://127.0.0.1:8000`."""

import sys

from taskmesh_client import AuthenticatedClient
from taskmesh_client.api.tasks import create_task, list_tasks
from taskmesh_client.models import NewTask, Task, TaskPage

client = AuthenticatedClient(sys.argv[1], token="demo-key", prefix="", auth_header_name="x-api-key")
created = create_task.sync(client=client, body=NewTask(title="Buy milk"))
assert isinstance(created, Task), created
print(created.id)
page = list_tasks.sync(client=client)
assert isinstance(page, TaskPage), page
for task in page.tasks:
    print(task.title)
