// socket.io-client in Node: sends before it is connected, and tells on standard output what it saw, as JSON.

import { createRequire } from 'node:module'

const { io } = createRequire(new URL('../../../frontend/package.json', import.meta.url))(
  'socket.io-client',
)

const plan = JSON.parse(process.argv[2])
const binary = Buffer.from(plan.binary, 'hex')
const last = plan.transports.at(-1)

const socket = io(plan.url, {
  auth: plan.auth,
  autoConnect: false,
  reconnection: false,
  transports: plan.transports,
})

/** The same value, with binary data in a form that JSON knows. */
function written(value) {
  if (Buffer.isBuffer(value)) {
    return { hex: value.toString('hex') }
  }
  if (Array.isArray(value)) {
    return value.map(written)
  }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, written(each)]))
  }
  return value
}

function fail(reason) {
  process.stderr.write(`${reason}\n`)
  process.exit(1)
}

/** The arguments of the next event of that name. */
function next(emitter, name) {
  return new Promise((resolve) => emitter.once(name, (...values) => resolve(values)))
}

/** The arguments of the acknowledgement. */
function confirmed(...values) {
  return new Promise((resolve) =>
    socket.emit('message-with-ack', ...values, (...back) => resolve(back)),
  )
}

socket.on('connect_error', (error) => fail(error.stack))
socket.on('disconnect', fail)

const acked = []
const sends = Array.from({ length: plan.number }, (_, n) =>
  confirmed(n).then(([number]) => acked.push(number)),
)
socket.emit('message', binary, { in: [binary] }, 'text')
const answers = Promise.all([
  next(socket, 'auth'),
  next(socket, 'message-back'),
  confirmed(Buffer.alloc(0), { in: binary }),
])

socket.connect()
const engine = socket.io.engine
const upgraded = engine.transport.name === last || next(engine, 'upgrade')
const [[auth], back, confirmation] = await answers
await Promise.all([...sends, upgraded])

const report = { transport: engine.transport.name, auth, acked, back, confirmed: confirmation }
socket.off('disconnect')
process.stdout.write(JSON.stringify(written(report)), () => {
  socket.disconnect()
})
