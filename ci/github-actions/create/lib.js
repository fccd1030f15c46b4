// What main and post share: the runner's files and commands, and running envctl.
// Only modules that come with Node, so there is nothing to install, to bundle or to audit.
'use strict';

const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const readline = require('node:readline');

// The runner drops a whole summary above 1 MiB.
const SUMMARY_BYTES_MAX = 1000000;

function input(name) {
  return (process.env[`INPUT_${name.replace(/ /g, '_').toUpperCase()}`] || '').trim();
}

function lines(name) {
  return input(name).split('\n').map((line) => line.trim()).filter((line) => line !== '');
}

// A value of several lines needs a delimiter that does not occur in it.
function appendPair(file, name, value) {
  const delimiter = `envd_${crypto.randomBytes(16).toString('hex')}`;
  fs.appendFileSync(file, `${name}<<${delimiter}${os.EOL}${value}${os.EOL}${delimiter}${os.EOL}`);
}

function setOutput(name, value) {
  appendPair(process.env.GITHUB_OUTPUT, name, value === undefined || value === null ? '' : String(value));
}

function saveState(name, value) {
  appendPair(process.env.GITHUB_STATE, name, value);
}

function state(name) {
  return process.env[`STATE_${name}`] || '';
}

function command(kind, title, message) {
  const data = message.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
  const property = title.replace(/%/g, '%25').replace(/\r|\n/g, ' ').replace(/:/g, '%3A').replace(/,/g, '%2C');
  process.stdout.write(`::${kind} title=${property}::${data}\n`);
}

function mask(value) {
  for (const line of value.split('\n').filter((part) => part !== '')) process.stdout.write(`::add-mask::${line}\n`);
}

function addSummary(markdown) {
  if (!process.env.GITHUB_STEP_SUMMARY) return;
  let text = markdown;
  if (Buffer.byteLength(text) > SUMMARY_BYTES_MAX) {
    const end = text.lastIndexOf('\n', SUMMARY_BYTES_MAX / 4); // 4 bytes a character at most
    text = `${text.slice(0, end)}\n\n(cut here: the whole report is in the files of report-path)\n`;
  }
  fs.appendFileSync(process.env.GITHUB_STEP_SUMMARY, text);
}

function envctlVariables() {
  const variables = { ...process.env };
  if (input('server')) variables.ENVCTL_SERVER = input('server');
  if (input('token')) variables.ENVCTL_TOKEN = input('token');
  if (input('matrix')) variables.ENVCTL_MATRIX = input('matrix');
  // Inputs are ours and not the business of what envctl starts.
  for (const name of Object.keys(variables)) if (name.startsWith('INPUT_')) delete variables[name];
  return variables;
}

// With -o json envctl's last word on stderr is JSON too; a person wants a sentence and an annotation.
function sayLine(line) {
  let error;
  try {
    error = JSON.parse(line).error;
  } catch {
    error = undefined; // a line of progress
  }
  if (!error || !error.code) {
    process.stderr.write(`${line}\n`);
    return;
  }
  command('error', error.code, error.cause ? `${error.message}: ${error.cause}` : error.message);
  if (error.hint) process.stderr.write(`hint: ${error.hint}\n`);
}

// Runs envctl; resolves with { status, stdout }. What it says on stderr goes to the log as it comes.
// Never spawnSync: the runner signals this process alone, and a blocked one would leave envctl running unseen.
function envctl(words, { onChild, timeoutMs } = {}) {
  return new Promise((resolve) => {
    const child = spawn(input('envctl') || 'envctl', words, { stdio: ['ignore', 'pipe', 'pipe'], env: envctlVariables() });
    const parts = [];
    const timer = timeoutMs ? setTimeout(() => child.kill('SIGKILL'), timeoutMs) : null;
    if (onChild) onChild(child);
    child.stdout.on('data', (part) => parts.push(part));
    readline.createInterface({ input: child.stderr }).on('line', sayLine);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ status: 127, stdout: '', error });
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status: signal ? 128 + os.constants.signals[signal] : status, stdout: Buffer.concat(parts).toString() });
    });
  });
}

module.exports = { input, lines, setOutput, saveState, state, command, mask, addSummary, envctl, appendPair };
