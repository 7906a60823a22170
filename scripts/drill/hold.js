// Holds MongoDB's writes back in turns, or with ROUNDS 0 only makes sure that nobody does. `scripts.drill.compose` puts
// the numbers before it and runs it as root of the database, in mongo's own network.
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
