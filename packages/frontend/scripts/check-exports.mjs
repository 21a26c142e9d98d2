// Installs what `npm pack` makes, and uses it as somebody else would.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const root = fileURLToPath(new URL('..', import.meta.url))
// Below node_modules, so that the package's own dependencies are found.
const stage = join(root, 'node_modules/.check-exports')
const installed = join(stage, 'node_modules/rejoinder')
/** @type {string[]} */
const complaints = []

rmSync(stage, { recursive: true, force: true })
mkdirSync(installed, { recursive: true })
// Else the name would mean the package around this folder.
writeFileSync(join(stage, 'package.json'), '{ "private": true }')
const packed = run('npm', ['pack', '--silent', '--pack-destination', stage], root).trim()
run('tar', ['-xzf', join(stage, packed), '-C', installed, '--strip-components=1'], root)

/** @type {{ exports: Record<string, unknown> }} */
const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
const require = createRequire(join(stage, 'index.js'))
for (const path of Object.keys(manifest.exports)) require.resolve(join('rejoinder', path))

writeFileSync(
  join(stage, 'use.mts'),
  `import { useSocket, useSocketChat, ConnectionStatus, type UseSocketOptions } from 'rejoinder'
import { createChat, createConnection, type ChatView } from 'rejoinder/client'
import type { ChatMessage, SocketEvent } from 'rejoinder'
const options: UseSocketOptions = { onReplaced: (data) => data.message.length }
const event: SocketEvent = 'room:join'
const first = (view: ChatView): ChatMessage | undefined => view.messages[0]
// A type that did not resolve would be \`any\`, and this no error.
// @ts-expect-error
const wrong: number = event
export const used = [useSocket, useSocketChat, ConnectionStatus, createChat, createConnection]
export { first, options, wrong }
`,
)
const compiler = [
  '--ignoreConfig',
  '--noEmit',
  '--strict',
  '--module',
  'nodenext',
  '--target',
  'es2022',
]
run('node', [join(root, 'node_modules/typescript/bin/tsc'), ...compiler, 'use.mts'], stage)

const program = `
const names = await import('rejoinder')
const client = await import('rejoinder/client')
for (const name of ['useSocket', 'useSocketChat', 'usePresence', 'useReadReceipts', 'useUnread', 'PresenceDot', 'PresenceLabel', 'ReadReceipts', 'UnreadBadge', 'ConnectionStatus', 'ConnectionReplacedModal', 'MessageStatusIndicator', 'createGuest', 'ACK_TIMEOUT_MS'])
  if (!(name in names)) throw new Error(name + ' is not exported')
for (const name of ['createChat', 'createConnection', 'socketTransport'])
  if (!(name in client)) throw new Error(name + ' is not exported by the client')
`
run('node', ['--input-type=module', '--eval', program], stage)
if (/from\s*["']react/.test(readAll('dist/client.js'))) complaints.push('The client imports React')

const { messages } = await publint({ pkgDir: installed, strict: true })
complaints.push(...messages.map((message) => formatMessage(message, manifest) ?? message.code))

rmSync(stage, { recursive: true, force: true })
for (const complaint of complaints) console.error(complaint)
process.exitCode = complaints.length > 0 ? 1 : 0

/** A file and what it imports. @param {string} file @returns {string} */
function readAll(file) {
  const text = readFileSync(join(installed, file), 'utf8')
  const chunks = [...text.matchAll(/from\s*["']\.\/([^"']+)["']/g)].map(([, chunk]) => chunk ?? '')
  return text + chunks.map((chunk) => readAll(join('dist', chunk))).join('')
}

/** @param {string} command @param {string[]} args @param {string} cwd */
function run(command, args, cwd) {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const { stdout = '', stderr = '' } = /** @type {{ stdout?: string, stderr?: string }} */ (error)
    console.error(`${command} ${args.join(' ')}\n${stdout}${stderr}`)
    process.exit(1)
  }
}
