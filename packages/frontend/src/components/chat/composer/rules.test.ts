import { describe, expect, test } from 'vitest'
import { canSend, type KeyPress, outboxNoteOf, sends, sizeOf, utf8Length } from './rules'

const enter: KeyPress = {
  key: 'Enter',
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  keyCode: 13,
  isComposing: false,
}

describe('the Enter key', () => {
  test('sends', () => {
    expect(sends(enter)).toBe(true)
    expect(sends({ ...enter, ctrlKey: true })).toBe(true)
  })

  test.each([
    ['with Shift it makes a line', { shiftKey: true }],
    ['in a composition it confirms the syllable', { isComposing: true }],
    ['where only the key code tells of the composition', { keyCode: 229 }],
    ['another key', { key: 'a', keyCode: 65 }],
  ])('does not send: %s', (_, change) => {
    expect(sends({ ...enter, ...change })).toBe(false)
  })
})

describe('the size of a message', () => {
  test('counts bytes of UTF-8', () => {
    expect(utf8Length('a')).toBe(1)
    expect(utf8Length('한')).toBe(3)
    expect(utf8Length('🙂')).toBe(4)
  })

  test.each([
    ['', { state: 'fine' }],
    ['a'.repeat(89), { state: 'fine' }],
    ['a'.repeat(90), { state: 'near', left: 10 }],
    ['한'.repeat(33), { state: 'near', left: 1 }],
    ['한'.repeat(34), { state: 'over', left: -2 }],
  ])('is shown near the limit', (text, size) => {
    expect(sizeOf(text, 100)).toEqual(size)
  })

  test('decides with the text whether there is something to send', () => {
    expect(canSend('hi', 100)).toBe(true)
    expect(canSend(' \n ', 100)).toBe(false)
    expect(canSend('a'.repeat(100), 100)).toBe(true)
    expect(canSend('a'.repeat(101), 100)).toBe(false)
  })
})

describe('the note about what is not sent yet', () => {
  const fine: Parameters<typeof outboxNoteOf>[0] = {
    outbox: { isKept: true, isFull: false },
    isInRoom: true,
    pendingMessages: [],
    messages: [{ status: 'sent' }, {}],
  }
  const pendingMessages = ['m1']
  const messages = [{ status: 'failed' as const }]
  const lost = { isKept: false, isFull: false }

  test.each([
    ['nothing waits', {}, null],
    ['nothing waits, and nothing would be kept', { outbox: lost }, null],
    ['one is on its way', { pendingMessages }, null],
    ['one is on its way and would not be kept', { pendingMessages, outbox: lost }, null],
    ['nothing waits for the connection', { isInRoom: false }, null],
    ['one waits for the connection', { isInRoom: false, pendingMessages }, 'offline'],
    ['one waits and is not kept', { isInRoom: false, pendingMessages, outbox: lost }, 'notKept'],
    ['one failed', { messages }, null],
    ['one failed and is not kept', { messages, outbox: lost }, 'notKept'],
    ['no more are taken', { outbox: { isKept: false, isFull: true } }, 'full'],
  ])('where %s', (_, change, note) => {
    expect(outboxNoteOf({ ...fine, ...change })).toBe(note)
  })
})
