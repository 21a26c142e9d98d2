import type {
  AnswerPrompt,
  CardImported,
  CharacterSummary,
  Me,
  MemberList,
  MeUpdate,
  RoomCreate,
  RoomList,
  RoomSummary,
  SearchPage,
  ServerInfo,
} from '../types/rest'
import type { ErrorCode, Failure, RoomChanged, RoomUpdated } from '../types/socket'
import { defined } from './defined'

/** What the server answered instead of what was asked for. */
export class RestError extends Error {
  override readonly name = 'RestError'
  readonly status: number
  readonly code: ErrorCode
  readonly retryAfterMs: number | undefined

  constructor(status: number, failure: Omit<Failure, 'success'>) {
    super(failure.error)
    this.status = status
    this.code = failure.code
    this.retryAfterMs = failure.retryAfterMs
  }
}

export interface RestOptions {
  /** Where the server is; by default where the page came from. */
  url?: string | undefined
  token?: string | undefined
  signal?: AbortSignal | undefined
}

interface RequestDetails {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  /** Sent as JSON, a file as it is. */
  body?: unknown
}

/** A file that the server made, with the name that it gave it. */
export interface Download {
  name: string
  content: Blob
}

/** One request; resolves to the JSON of the answer and rejects with a `RestError`. */
export async function request<T>(details: RequestDetails, options: RestOptions): Promise<T> {
  const response = await answerTo(details, options)
  const text = await response.text()
  // The shapes are the server's contract; both sides are generated from one catalogue.
  return (text === '' ? undefined : JSON.parse(text)) as T
}

async function answerTo(details: RequestDetails, options: RestOptions): Promise<Response> {
  const { body } = details
  const isFile = body instanceof Blob
  const headers = new Headers({ Accept: 'application/json' })
  if (body !== undefined)
    headers.set('Content-Type', isFile ? 'application/octet-stream' : 'application/json')
  if (options.token !== undefined) headers.set('Authorization', `Bearer ${options.token}`)
  const response = await fetch(`${baseOf(options.url)}${details.path}`, {
    method: details.method,
    headers,
    body: body === undefined ? null : isFile ? body : JSON.stringify(body),
    signal: options.signal ?? null,
  })
  if (!response.ok) throw new RestError(response.status, failureOf(response, await response.text()))
  return response
}

async function download(path: string, options: RestOptions, name: string): Promise<Download> {
  const response = await answerTo({ method: 'GET', path }, options)
  const given = nameIn(response.headers.get('Content-Disposition') ?? '')
  return { name: given ?? name, content: await response.blob() }
}

/** The name of a file as RFC 8187 writes it. */
function nameIn(disposition: string): string | undefined {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1]
  try {
    return encoded && decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}

function baseOf(url: string | undefined): string {
  const base = url ?? (typeof location === 'undefined' ? '' : location.origin)
  return base.replace(/\/+$/, '')
}

/** Not every failure is the server's own: a proxy answers in HTML. */
function failureOf(response: Response, text: string): Omit<Failure, 'success'> {
  try {
    const body: unknown = JSON.parse(text)
    if (isFailure(body)) return body
  } catch {
    // Not JSON: the status alone must do.
  }
  const error = `The server answered ${response.status} ${response.statusText}`.trimEnd()
  return { error, code: response.status >= 500 ? 'unavailable' : 'internal' }
}

function isFailure(body: unknown): body is Failure {
  return (
    typeof body === 'object' &&
    body !== null &&
    'error' in body &&
    typeof body.error === 'string' &&
    'code' in body &&
    typeof body.code === 'string'
  )
}

const roomPath = (roomId: string) => `/api/rooms/${encodeURIComponent(roomId)}`
const characterPath = (roomId: string, characterId: string) =>
  `${roomPath(roomId)}/characters/${encodeURIComponent(characterId)}`
const membersPath = (roomId: string) => `${roomPath(roomId)}/members`
const memberPath = (roomId: string, userId: string) =>
  `${membersPath(roomId)}/${encodeURIComponent(userId)}`

export function getServerInfo(options: RestOptions = {}): Promise<ServerInfo> {
  return request({ method: 'GET', path: '/api/info' }, options)
}

export function getMe(options: RestOptions): Promise<Me> {
  return request({ method: 'GET', path: '/api/me' }, options)
}

export function updateMe(change: MeUpdate, options: RestOptions): Promise<Me> {
  return request({ method: 'PUT', path: '/api/me', body: change }, options)
}

export function listCharacters(options: RestOptions = {}): Promise<CharacterSummary[]> {
  return request({ method: 'GET', path: '/api/characters' }, options)
}

export function listRooms(options: RestOptions): Promise<RoomList> {
  return request({ method: 'GET', path: '/api/rooms' }, options)
}

export function createRoom(room: RoomCreate, options: RestOptions): Promise<RoomSummary> {
  return request({ method: 'POST', path: '/api/rooms', body: room }, options)
}

/** What a model was asked for an answer; only who asked for the answer may see it, and only for a while. */
export function getPrompt(
  roomId: string,
  messageId: string,
  options: RestOptions,
): Promise<AnswerPrompt> {
  const path = `${roomPath(roomId)}/messages/${encodeURIComponent(messageId)}/prompt`
  return request({ method: 'GET', path }, options)
}

/** Brings a character into a room; the room's characters after that. */
export function addCharacter(
  roomId: string,
  characterId: string,
  options: RestOptions,
): Promise<RoomChanged> {
  return request({ method: 'PUT', path: characterPath(roomId, characterId) }, options)
}

export function removeCharacter(
  roomId: string,
  characterId: string,
  options: RestOptions,
): Promise<RoomChanged> {
  return request({ method: 'DELETE', path: characterPath(roomId, characterId) }, options)
}

/** Gives a room another title; resolves to the title as it is kept. */
export async function renameRoom(
  roomId: string,
  title: string,
  options: RestOptions,
): Promise<string> {
  const details = { method: 'PATCH', path: roomPath(roomId), body: { title } } as const
  return (await request<RoomUpdated>(details, options)).title
}

/** Deletes a room for good; only who made it may. */
export async function deleteRoom(roomId: string, options: RestOptions): Promise<void> {
  await request({ method: 'DELETE', path: roomPath(roomId) }, options)
}

export type ExportFormat = 'markdown' | 'json'

export function exportRoom(
  roomId: string,
  format: ExportFormat,
  options: RestOptions,
): Promise<Download> {
  const path = `${roomPath(roomId)}/export?format=${format}`
  return download(path, options, format === 'json' ? 'room.json' : 'room.md')
}

export interface SearchOptions extends RestOptions {
  limit?: number | undefined
  /** `next` of the page before. */
  before?: string | undefined
}

/** What was said in one's own rooms, the newest first. */
export function searchMessages(query: string, options: SearchOptions): Promise<SearchPage> {
  const { limit, before } = options
  const asked = { q: query, ...defined({ limit: limit?.toString(), before }) }
  return request({ method: 'GET', path: `/api/search?${new URLSearchParams(asked)}` }, options)
}

export type CardFormat = 'json' | 'png' | 'charx'
const cardPath = (characterId: string) => `/api/characters/${encodeURIComponent(characterId)}`

/** Offers the character of a card from now on. */
export function importCard(file: Blob, options: RestOptions): Promise<CardImported> {
  return request({ method: 'POST', path: '/api/characters', body: file }, options)
}

export function exportCard(
  characterId: string,
  format: CardFormat,
  options: RestOptions,
): Promise<Download> {
  const path = `${cardPath(characterId)}/card?format=${format}`
  return download(path, options, `card.${format}`)
}

export async function deleteCard(characterId: string, options: RestOptions): Promise<void> {
  await request({ method: 'DELETE', path: cardPath(characterId) }, options)
}

export function listMembers(roomId: string, options: RestOptions): Promise<MemberList> {
  return request({ method: 'GET', path: membersPath(roomId) }, options)
}

export async function addMember(
  roomId: string,
  userId: string,
  options: RestOptions,
): Promise<void> {
  await request({ method: 'PUT', path: memberPath(roomId, userId) }, options)
}

export async function removeMember(
  roomId: string,
  userId: string,
  options: RestOptions,
): Promise<void> {
  await request({ method: 'DELETE', path: memberPath(roomId, userId) }, options)
}
