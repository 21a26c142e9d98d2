import { describe, expect, it } from 'vitest'
import { answer, message, ROOM, snapshot } from '../testing/room'
import { addressee, mentioned } from './addressing'
import { reduce } from './reducer'
import { emptyChat } from './state'

const names = { ada: 'Ada', adam: 'Adam Smith', sara: '사라', 'c++': 'C++' }
const characters = Object.entries(names).map(([id, name]) => ({ id, name }))

describe('whom a text names', () => {
  // The same table as the server's.
  it.each([
    ['@Ada, what do you think?', 'ada'],
    ['What do you think, @ADA?', 'ada'],
    ['@Adam Smith and @Ada', 'adam'],
    ['@Adam and @Ada', 'adam'],
    ['@Ada and @Adam Smith', 'ada'],
    ['@Adamant', undefined],
    ['@사라야 안녕', 'sara'],
    ['mail@ada.org', undefined],
    ['@@Ada', undefined],
    ['Ada?', undefined],
    ['(@Ada)', 'ada'],
    ['@c++ or @Ada', 'c++'],
    ['@', undefined],
    ['', undefined],
  ])('%s', (text, who) => expect(mentioned(text, characters)).toBe(who))
})

describe('who is to answer', () => {
  const who = (text: string, ...spoken: (string | undefined)[]) =>
    addressee(
      text,
      characters,
      spoken.map((characterId) => (characterId === undefined ? {} : { characterId })),
    )

  it('is who comes first in a room where nobody spoke', () => expect(who('hi')).toBe('ada'))
  it('is the next one in turn', () => expect(who('hi', 'ada', undefined)).toBe('adam'))
  it('begins again after the last', () => expect(who('hi', 'ada', 'c++')).toBe('ada'))
  it('is who is named', () => expect(who('@사라, hi', 'ada')).toBe('sara'))
  it('is nobody where there is nobody', () => expect(addressee('hi', [], [])).toBeUndefined())
})

describe('the characters of a room', () => {
  const opened = reduce(emptyChat, { type: 'opened', roomId: ROOM })
  it('are those of the snapshot, and then what is told', () => {
    const entered = reduce(opened, {
      type: 'entered',
      snapshot: { ...snapshot({ messages: [message(1), answer(2)] }), characterIds: ['a', 'b'] },
    })
    expect(entered.characterIds).toEqual(['a', 'b'])
    const changed = { roomId: ROOM, characterIds: ['b', 'c'] }
    expect(reduce(entered, { type: 'roomChanged', changed }).characterIds).toEqual(['b', 'c'])
    const alone = { roomId: ROOM, characterIds: ['c'] }
    expect(reduce(entered, { type: 'roomChanged', changed: alone }).characterIds).toEqual([])
  })
})
