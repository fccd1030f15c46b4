// The job is over, however it ended: ask for the environment to be destroyed. The server does the rest.
'use strict';

const { input, state, command, envctl } = require('./lib.js');

const TRIES = 3;
const TRY_LIMIT_MS = 15000;

async function destroy(mark) {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const ended = await envctl(['destroy', '--label', `envd-action=${mark}`, '--yes', '--no-wait'], { timeoutMs: TRY_LIMIT_MS });
    if (ended.status === 0) {
      process.stdout.write(ended.stdout);
      return true;
    }
    if (attempt < TRIES) await new Promise((resolve) => setTimeout(resolve, 1000 * attempt));
  }
  return false;
}

async function post() {
  const mark = state('mark');
  if (!mark) return; // main did not get as far as asking for one
  if (input('keep') === 'always') {
    process.stdout.write('kept as asked: its lease ends it\n');
    return;
  }
  if (!(await destroy(mark))) {
    // Whether the job passed is not for a clean-up to say, and the lease ends it anyway.
    command('warning', 'envd', `the environment could not be destroyed now; the reaper destroys it when its lease of ${input('ttl')} ends`);
  }
}

post().then(() => process.exit(0), (error) => {
  command('warning', 'envd', String(error));
  process.exit(0);
});
