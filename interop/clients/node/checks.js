// What the checks of this folder are made of: they run one after the other and print a line each.
const assert = require('node:assert')
const { setTimeout: pause } = require('node:timers/promises')

const PATIENCE = 30_000 // milliseconds for what must come true sooner or later

const LENGTH = 500 // of what is printed of an error

class Checks {
  failed = 0

  // run counts a failure if check, which returns a promise, rejects.
  async run(name, check, ...args) {
    try {
      await check(...args)
      console.log(`ok ${name}`)
    } catch (err) {
      this.failed++
      console.log(`FAILED ${name}: ${err.name}: ${String(err.message).replace(/\s+/g, ' ').slice(0, LENGTH)}`)
      console.error(err.stack)
    }
  }

  exit() {
    process.exit(this.failed ? 1 : 0)
  }
}

// equal compares deeply and says what it compared.
function equal(got, want, what) {
  assert.deepStrictEqual(got, want, `${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`)
}

// eventually asks until the answer is true, and resolves to it.
async function eventually(ask, what) {
  const deadline = Date.now() + PATIENCE
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > deadline) throw new Error(`after ${PATIENCE} ms: ${typeof what === 'function' ? what() : what}`)
    await pause(50)
  }
}

// rejects resolves if promise is rejected with an error of which is(error) holds.
async function rejects(promise, is, what) {
  let err
  try {
    await promise
  } catch (e) {
    err = e
  }
  if (!err) throw new Error(`${what}: it went well`)
  if (!is(err)) throw new Error(`${what}: unexpected ${err.name}: ${err.message}`)
}

module.exports = { Checks, equal, eventually, rejects }
