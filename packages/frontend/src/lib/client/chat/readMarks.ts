import type { Attention } from './attention'

export interface ReadPosition {
  messageId: string
  seq: number
}

export interface ReadMarksParts {
  attention: Attention
  /** Resolves to whether the server has it. */
  send: (position: ReadPosition) => Promise<boolean>
}

/** Moves one's read mark: forward only, and only while a person looks. */
export class ReadMarks {
  readonly #parts: ReadMarksParts
  #wanted: ReadPosition | null = null
  #doneTo = 0
  #isSending = false

  constructor(parts: ReadMarksParts) {
    this.#parts = parts
  }

  mark(position: ReadPosition): void {
    if (position.seq <= Math.max(this.#wanted?.seq ?? 0, this.#doneTo)) return
    this.#wanted = position
    void this.flush()
  }

  /** The mark has moved, here or on another device of the person: it never goes back. */
  moved(seq: number): void {
    this.#doneTo = Math.max(this.#doneTo, seq)
    if (this.#wanted && this.#wanted.seq <= this.#doneTo) this.#wanted = null
  }

  /** To be called when a person looks again, and when the server can be reached again. */
  async flush(): Promise<void> {
    const wanted = this.#wanted
    if (wanted === null || this.#isSending || !this.#parts.attention.isThere()) return
    this.#isSending = true
    const isDone = await this.#parts.send(wanted)
    this.#isSending = false
    if (!isDone) return
    this.#doneTo = Math.max(this.#doneTo, wanted.seq)
    if (this.#wanted === wanted) this.#wanted = null
    else if (this.#wanted) await this.flush()
  }

  forget(): void {
    this.#wanted = null
    this.#doneTo = 0
  }
}
