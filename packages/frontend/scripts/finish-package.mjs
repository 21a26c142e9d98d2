// What a bundler and a compiler leave to do before dist/ is a package.
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')

const styles = readFileSync(join(root, 'src/app/globals.css'), 'utf8')
writeFileSync(
  join(dist, 'styles.css'),
  styles.replace(/@import "\.\/(.+)";/g, (_, name) =>
    readFileSync(join(root, 'src/app', name), 'utf8'),
  ),
)
copyFileSync(join(root, '../../LICENSE'), join(dist, 'LICENSE'))
for (const file of declarations(dist)) {
  const text = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    text.replace(/(from |import\()(['"])(\.[^'"]*)\2/g, withEnding(dirname(file))),
  )
}

/** @param {string} folder @returns {string[]} */
function declarations(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return declarations(path)
    return name.endsWith('.d.ts') ? [path] : []
  })
}

/**
 * The sources leave endings out, as a bundler allows; Node's way to resolve types needs them.
 * @param {string} folder
 */
function withEnding(folder) {
  /** @param {string} _ @param {string} before @param {string} quote @param {string} path */
  return (_, before, quote, path) => {
    const target = [`${path}.js`, `${path}/index.js`].find((candidate) =>
      existsSync(join(folder, candidate.replace(/\.js$/, '.d.ts'))),
    )
    if (target === undefined) throw new Error(`${folder} imports ${path}, which is not there`)
    return `${before}${quote}${target}${quote}`
  }
}
