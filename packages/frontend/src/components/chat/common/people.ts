import type { CharacterSummary, ChatMessage, Member } from '@/index'

export interface Author {
  id: string
  name: string
  kind: 'self' | 'person' | 'character'
}

/** Those who may appear in a room, and whom the page belongs to. */
export interface People {
  userId: string
  characters: readonly CharacterSummary[]
  members: readonly Member[]
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
  return people.members.find((each) => each.userId === userId)?.name ?? names.someone
}

export function authorOf(message: ChatMessage, people: People, names: Names): Author {
  if (message.role === 'character') {
    const id = message.characterId ?? message.senderId
    return { id, name: characterName(people.characters, id), kind: 'character' }
  }
  const self = message.senderId === people.userId
  return {
    id: message.senderId,
    name: personName(people, message.senderId, names),
    kind: self ? 'self' : 'person',
  }
}
