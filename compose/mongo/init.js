// Initiates the replica set and creates the root user at the first start. Sets the rights and passwords of the other
// users at every start.
//
// mongosh runs it in mongo's network namespace: MongoDB's localhost exception allows creating the first user without
// authentication only from there.
const { readFileSync } = require("fs");

const SECONDS = 60;
const secret = (name) => readFileSync(`/run/secrets/${name}`, "utf8").trim();

// Repeats attempt until it returns a true value, and returns it; throws after 60 s.
function waitFor(target, attempt) {
  for (let tries = 0; tries < SECONDS * 2; tries++) {
    try {
      const found = attempt();
      if (found) return found;
    } catch (error) {
      print(`waiting for ${target}: ${error.message}`);
    }
    sleep(500);
  }
  throw new Error(`no ${target} within ${SECONDS} s`);
}

// Returns whether step succeeded. An expected codeName means that the step was already done; other errors are thrown.
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
  // If the root user exists, the command requires authentication; then the replica set was already initiated.
  unless(["AlreadyInitialized", "Unauthorized"], () => admin.runCommand({ replSetInitiate: { _id: "rs0", members } }));
  waitFor("primary", () => admin.runCommand({ hello: 1 }).isWritablePrimary);
}

function signIn(admin) {
  const root = { user: "root", pwd: secret("mongo-root-password") };
  if (unless(["AuthenticationFailed"], () => admin.auth(root))) return;
  admin.createUser({ ...root, roles: ["root"] });
  admin.auth(root);
}

function setTaskUser(database) {
  const rights = { pwd: secret("mongo-task-password"), roles: [{ role: "readWrite", db: "taskmesh" }] };
  if (database.getUser("task_svc")) database.updateUser("task_svc", rights);
  else database.createUser({ user: "task_svc", ...rights });
}

// The user of the metrics exporter; it cannot read tasks.
function setMonitorUser(admin) {
  const roles = [{ role: "clusterMonitor", db: "admin" }, { role: "read", db: "local" }];
  const rights = { pwd: secret("mongo-monitor-password"), roles };
  if (admin.getUser("monitor")) admin.updateUser("monitor", rights);
  else admin.createUser({ user: "monitor", ...rights });
}

const admin = waitFor("mongod", () => connect("mongodb://127.0.0.1:27017/admin?directConnection=true"));
makeReplicaSet(admin);
signIn(admin);
setTaskUser(admin.getSiblingDB("taskmesh"));
setMonitorUser(admin);
print("the replica set and its users are ready");
