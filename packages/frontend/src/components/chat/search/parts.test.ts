import { expect, test } from 'vitest'
import type { SearchHit } from '@/index'
import { partsOf } from './parts'

function hit(snippet: string, matches: [number, number][], offset = 0): SearchHit {
  return {
    roomId: 'room',
    messageId: 'message',
    seq: 1,
    role: 'user',
    senderId: 'ann',
    timestamp: '2026-01-01T00:00:00.000Z',
    snippet,
    offset,
    matches: matches.map(([start, end]) => ({ start, end })),
  }
}

const shown = (found: SearchHit) =>
  partsOf(found)
    .map(({ text, isMatch }) => (isMatch ? `[${text}]` : text))
    .join('')

test('matches are marked by code points, whatever a letter is made of', () => {
  expect(
    shown(
      hit('👋 우리 고양이가 고양', [
        [5, 7],
        [10, 12],
      ]),
    ),
  ).toBe('👋 우리 [고양]이가 [고양]')
  expect(shown(hit('고양이', [[0, 3]]))).toBe('[고양이]')
  expect(shown(hit('nothing', []))).toBe('nothing')
})

test('a mark says that something before it is left out', () => {
  expect(shown(hit('cat', [[0, 3]], 40))).toBe('… [cat]')
})

test('places that are out of the text do no harm', () => {
  expect(
    shown(
      hit('cat', [
        [1, 9],
        [2, 3],
      ]),
    ),
  ).toBe('c[at]')
})
