import { expect, test } from 'vitest'
import { firstLine } from './preview'

test.each([
  ['one\ntwo', 'one'],
  ['\n\n  \n- **bold** item', 'bold item'],
  ['# Title\ntext', 'Title'],
  ['see [here](https://example.org)', 'see here'],
  ['```\ncode', 'code'],
  ['', ''],
  ['x'.repeat(500), 'x'.repeat(120)],
])('the first line of %j', (text, line) => {
  expect(firstLine(text)).toBe(line)
})
