import type { CharacterSummary, ChatMessage } from '@/index'

export interface Author {
  id: string
  name: string
  kind: 'self' | 'person' | 'character'
}

/** Those who may appear in a room, and whom the page belongs to. */
export interface People {
  userId: string
  characters: readonly CharacterSummary[]
  nameOf: (userId: string) => string | undefined
}

export interface Names {
  you: string
  someone: string
}

export function characterName(characters: readonly CharacterSummary[], id: string): string {
  return characters.find((each) => each.id === id)?.name ?? id
}

export function personName(people: People, userId: string, names: Names): string {
  if (userId === people.userId) return names.you
  return people.nameOf(userId) ?? names.someone
}

export function authorOf(message: ChatMessage, people: People, names: Names): Author {
  if (message.role === 'character') {
    const id = message.characterId ?? message.senderId
    return { id, name: characterName(people.characters, id), kind: 'character' }
  }
  // What is on its way is one's own, also before it is known under which id one is connected.
  const onItsWay = message.status === 'pending' || message.status === 'failed'
  const self = onItsWay || message.senderId === people.userId
  return {
    id: message.senderId,
    name: self ? names.you : personName(people, message.senderId, names),
    kind: self ? 'self' : 'person',
  }
}
