import { expect, it } from 'vitest'
import { tokenSubject } from './tokenSubject'

const token = (claims: unknown) =>
  `header.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`

it.each([
  [token({ sub: 'user_1' }), 'user_1'],
  [token({ sub: '사용자 👩‍👩‍👧' }), '사용자 👩‍👩‍👧'],
  [token({ sub: 7 }), undefined],
  [token({}), undefined],
  [token(null), undefined],
  ['a.%%%.b', undefined],
  ['opaque', undefined],
  ['', undefined],
])('%s is of %s', (text, subject) => {
  expect(tokenSubject(text)).toBe(subject)
})
