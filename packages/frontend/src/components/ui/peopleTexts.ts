import type { ShownStatus } from '../../lib/hooks'
import { useLanguage } from './texts'

/** What these components say of people, characters and what was read. */
export interface PeopleTexts {
  presence: Record<ShownStatus, string>
  lastSeen: (moment: string) => string
  stored: string
  read: string
  readBy: (names: readonly string[]) => string
  readByCount: (count: number) => string
  unread: (count: number) => string
}

const en: PeopleTexts = {
  presence: {
    online: 'Online',
    away: 'Away',
    offline: 'Offline',
    idle: 'Ready',
    thinking: 'Thinking…',
    writing: 'Writing…',
  },
  lastSeen: (moment) => `Last seen ${moment}`,
  stored: 'Sent',
  read: 'Read',
  readBy: (names) => `Read by ${names.join(', ')}`,
  readByCount: (count) => `Read by ${count}`,
  unread: (count) => (count === 1 ? '1 new message' : `${count} new messages`),
}

const ko: PeopleTexts = {
  presence: {
    online: '온라인',
    away: '자리 비움',
    offline: '오프라인',
    idle: '대기 중',
    thinking: '생각 중…',
    writing: '작성 중…',
  },
  lastSeen: (moment) => `마지막 접속 ${moment}`,
  stored: '보냄',
  read: '읽음',
  readBy: (names) => `읽은 사람: ${names.join(', ')}`,
  readByCount: (count) => `${count}명이 읽음`,
  unread: (count) => `새 메시지 ${count}개`,
}

/** In the language of the browser where no other is named. */
export function usePeopleTexts(locale: string | undefined): { texts: PeopleTexts; locale: string } {
  const language = useLanguage(locale)
  const texts = language.toLowerCase().split('-')[0] === 'ko' ? ko : en
  return { texts, locale: language }
}
