import { describe, expect, test } from 'vitest'
import { parseSession, sessionOfToken } from './session'

const encode = (claims: object) => Buffer.from(JSON.stringify(claims)).toString('base64url')
const tokenOf = (claims: object) => `e30.${encode(claims)}.c2ln`

describe('a stored session', () => {
  test('is read back', () => {
    const session = { token: 't', userId: 'u', name: 'n' }
    expect(parseSession(JSON.stringify(session))).toEqual(session)
  })

  test.each([null, '', 'no json', 'null', '[]', '{"token":"t"}', '{"token":1,"userId":"u"}'])(
    'that is none signs nobody in: %s',
    (stored) => {
      expect(parseSession(stored)).toBeNull()
    },
  )
})

describe('a pasted token', () => {
  test('names its user', () => {
    const token = tokenOf({ sub: 'u1', name: '지민' })
    expect(sessionOfToken(` ${token}\n`)).toEqual({ token, userId: 'u1', name: '지민' })
  })

  test('without a name is called by the id', () => {
    expect(sessionOfToken(tokenOf({ sub: 'u1' }))?.name).toBe('u1')
  })

  test.each(['', 'abc', 'a.b.c', tokenOf({}), tokenOf({ sub: 7 }), `${tokenOf({ sub: 'u' })}.d`])(
    'that is none is refused: %s',
    (pasted) => {
      expect(sessionOfToken(pasted)).toBeNull()
    },
  )
})
