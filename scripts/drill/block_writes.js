// Blocks MongoDB's writes for HELD_MS in each of ROUNDS rounds; then releases every lock, also one of an earlier run.
const password = require("fs").readFileSync("/run/secrets/mongo-root-password", "utf8").trim();
const admin = connect("mongodb://127.0.0.1:27017/admin?directConnection=true");
admin.auth("root", password);
for (let round = 0; round < ROUNDS; round++) {
  admin.fsyncLock();
  sleep(HELD_MS);
  admin.fsyncUnlock();
  sleep(FREE_MS);
}
try {
  while (admin.runCommand({ fsyncUnlock: 1 }).lockCount > 0);
} catch (error) {
  if (!/not locked/.test(error.message)) throw error;
}
