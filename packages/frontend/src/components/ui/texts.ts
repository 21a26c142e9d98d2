import { useSyncExternalStore } from 'react'
import type { ConnectionState, MessageStatus, Quality } from '../../lib/types/socket'

/** Every sentence these components say; a language that lacks one does not compile. */
export interface Texts {
  connection: Record<Exclude<ConnectionState, 'connected'>, string>
  /** The device has no network; what the server does is not known then. */
  offline: string
  reconnect: string
  replaced: { title: string; text: string; reconnect: string; close: string }
  quality: {
    name: Record<Quality, string>
    meaning: Record<Quality, string>
    rtt: string
    jitter: string
    loss: string
  }
  message: Record<MessageStatus, string>
  retry: string
}

const en: Texts = {
  connection: {
    disconnected: 'You are not connected.',
    connecting: 'Connecting…',
    reconnecting: 'The server cannot be reached. Trying again…',
    failed: 'The connection could not be restored.',
  },
  offline: 'Your device is offline. What you write is sent once it is online again.',
  reconnect: 'Reconnect',
  replaced: {
    title: 'You are connected elsewhere',
    text: 'This connection was ended because you signed in on another device or in another window.',
    reconnect: 'Use this one',
    close: 'Close',
  },
  quality: {
    name: { good: 'Good connection', fair: 'Fair connection', poor: 'Poor connection' },
    meaning: {
      good: 'Messages and answers arrive without delay.',
      fair: 'The connection is somewhat slow or uneven. Messages may take a moment.',
      poor: 'The connection is slow or loses data. Answers come in larger pieces, and others do not see you type. No message is lost.',
    },
    rtt: 'Round trip',
    jitter: 'Variation',
    loss: 'Lost',
  },
  message: { pending: 'Sending', sent: 'Sent', failed: 'Not sent' },
  retry: 'Send again',
}

const ko: Texts = {
  connection: {
    disconnected: '연결되어 있지 않습니다.',
    connecting: '연결하는 중…',
    reconnecting: '서버에 연결할 수 없습니다. 다시 시도하는 중…',
    failed: '연결을 복구하지 못했습니다.',
  },
  offline: '기기가 오프라인입니다. 작성한 메시지는 온라인이 되면 보내집니다.',
  reconnect: '다시 연결',
  replaced: {
    title: '다른 곳에서 연결되었습니다',
    text: '다른 기기나 창에서 로그인하여 이 연결이 종료되었습니다.',
    reconnect: '여기서 다시 연결',
    close: '닫기',
  },
  quality: {
    name: { good: '연결 상태 좋음', fair: '연결 상태 보통', poor: '연결 상태 나쁨' },
    meaning: {
      good: '메시지와 답변이 지연 없이 도착합니다.',
      fair: '연결이 조금 느리거나 고르지 않습니다. 메시지가 늦어질 수 있습니다.',
      poor: '연결이 느리거나 데이터가 손실됩니다. 답변이 더 큰 조각으로 오고, 입력 중 표시는 보내지 않습니다. 메시지는 사라지지 않습니다.',
    },
    rtt: '왕복 시간',
    jitter: '변동',
    loss: '손실',
  },
  message: { pending: '보내는 중', sent: '보냄', failed: '보내지 못함' },
  retry: '다시 보내기',
}

export function textsFor(locale: string): Texts {
  return locale.toLowerCase().split('-')[0] === 'ko' ? ko : en
}

/** In the language of the browser where no other is named. */
export function useTexts(locale: string | undefined): Texts {
  return textsFor(useLanguage(locale))
}

/** The language that is named, or the browser's. */
export function useLanguage(locale: string | undefined): string {
  const browser = useSyncExternalStore(onLanguageChange, browserLanguage, () => 'en')
  return locale ?? browser
}

function browserLanguage(): string {
  return navigator.language
}

function onLanguageChange(listener: () => void): () => void {
  window.addEventListener('languagechange', listener)
  return () => window.removeEventListener('languagechange', listener)
}
