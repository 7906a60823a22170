// Makes the replica set and its users at the first start, and gives the task service its rights and password at each.
//
// mongosh runs it in MongoDB's own network, because only from there may somebody without a name make the first user.
const { readFileSync } = require("fs");

const SECONDS = 60;
const secret = (name) => readFileSync(`/run/secrets/${name}`, "utf8").trim();

function within(what, attempt) {
  for (let tries = 0; tries < SECONDS * 2; tries++) {
    try {
      const found = attempt();
      if (found) return found;
    } catch (error) {
      print(`waiting for ${what}: ${error.message}`);
    }
    sleep(500);
  }
  throw new Error(`no ${what} within ${SECONDS} s`);
}

// Each throws what the server says; what it says where there is nothing left to do is passed over.
function unless(expected, step) {
  try {
    step();
    return true;
  } catch (error) {
    if (!expected.includes(error.codeName)) throw error;
    return false;
  }
}

function makeReplicaSet(admin) {
  const members = [{ _id: 0, host: "mongo:27017" }];
  // Once there is a first user, only a user may ask.
  unless(["AlreadyInitialized", "Unauthorized"], () => admin.runCommand({ replSetInitiate: { _id: "rs0", members } }));
  within("primary", () => admin.runCommand({ hello: 1 }).isWritablePrimary);
}

function signIn(admin) {
  const root = { user: "root", pwd: secret("mongo-root-password") };
  if (unless(["AuthenticationFailed"], () => admin.auth(root))) return;
  admin.createUser({ ...root, roles: ["root"] });
  admin.auth(root);
}

function giveRights(database) {
  const rights = { pwd: secret("mongo-task-password"), roles: [{ role: "readWrite", db: "taskmesh" }] };
  if (database.getUser("task_svc")) database.updateUser("task_svc", rights);
  else database.createUser({ user: "task_svc", ...rights });
}

// Whoever counts what MongoDB does; it reads no task.
function letBeWatched(admin) {
  const roles = [{ role: "clusterMonitor", db: "admin" }, { role: "read", db: "local" }];
  const rights = { pwd: secret("mongo-monitor-password"), roles };
  if (admin.getUser("monitor")) admin.updateUser("monitor", rights);
  else admin.createUser({ user: "monitor", ...rights });
}

const admin = within("mongod", () => connect("mongodb://127.0.0.1:27017/admin?directConnection=true"));
makeReplicaSet(admin);
signIn(admin);
giveRights(admin.getSiblingDB("taskmesh"));
letBeWatched(admin);
print("the replica set and its users are as they should be");
