// Create the environment, wait until it is ready, and tell the job about it.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { input, lines, setOutput, saveState, command, mask, addSummary, envctl } = require('./lib.js');

// The runner gives a cancelled step 7.5 s before it gets rough; envctl needs at most 5.
const INTERRUPTED_LIMIT_MS = 7000;

function createArguments(mark) {
  const words = ['create', input('template'), '--ttl', input('ttl'), '--label', `envd-action=${mark}`, '-o', 'json'];
  if (input('name')) words.push('--name', input('name'));
  if (input('timeout')) words.push('--timeout', input('timeout'), '--on-timeout', 'destroy');
  for (const pin of lines('pins')) words.push('--pin', pin);
  for (const parameter of lines('parameters')) words.push('--param', parameter);
  for (const label of lines('labels')) words.push('--label', label);
  return words;
}

// Passes the runner's signals on, and leaves in time even if envctl does not.
function forwardSignals(child) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      child.kill(signal);
      setTimeout(() => process.exit(130), INTERRUPTED_LIMIT_MS).unref();
    });
  }
}

async function exportVariables(name, folder) {
  const github = await envctl(['env', name, '-o', 'github', '--files', folder]);
  if (github.status === 0 && process.env.GITHUB_ENV) fs.appendFileSync(process.env.GITHUB_ENV, github.stdout);
}

async function writeReport(name, folder) {
  const report = await envctl(['report', name, '-f', 'markdown', '--directory', folder]);
  if (report.status !== 0) return;
  addSummary(report.stdout);
  setOutput('report-path', folder);
}

function setOutputs(environment) {
  const outputs = environment.outputs || {};
  setOutput('name', environment.name);
  setOutput('id', environment.id);
  setOutput('url', outputs.url || '');
  setOutput('state', environment.state);
  setOutput('expires-at', environment.expires_at || '');
}

// The runner sends nothing but the status back: what was accepted is found by its mark.
async function findByMark(mark) {
  const listed = await envctl(['list', '--all', '-l', `envd-action=${mark}`, '-o', 'json'], { timeoutMs: 15000 });
  try {
    return JSON.parse(listed.stdout).items[0];
  } catch {
    return undefined;
  }
}

async function main() {
  if (!['never', 'always'].includes(input('keep'))) {
    command('error', 'envd', `keep must be "never" or "always", not "${input('keep')}"`);
    return 2;
  }
  if (input('token')) mask(input('token'));
  const mark = crypto.randomBytes(12).toString('hex');
  const folder = fs.mkdtempSync(path.join(process.env.RUNNER_TEMP || os.tmpdir(), 'envd-'));
  // Before anything is asked for: post must find what was made even if this process dies now.
  saveState('mark', mark);
  const created = await envctl(createArguments(mark), { onChild: forwardSignals });
  if (created.error) {
    command('error', 'envctl cannot be run', `${input('envctl')}: ${created.error.message}`);
    return 1;
  }
  const environment = created.status === 0 ? JSON.parse(created.stdout) : await findByMark(mark);
  setOutput('created', environment ? 'true' : 'false');
  if (!environment) return created.status;
  setOutputs(environment);
  if (created.status === 0) await exportVariables(environment.name, folder);
  await writeReport(environment.id, folder);
  return created.status;
}

main().then((status) => process.exit(status), (error) => {
  command('error', 'envd', String(error && error.stack ? error.stack : error));
  process.exit(255);
});
