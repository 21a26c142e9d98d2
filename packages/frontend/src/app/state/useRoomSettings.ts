import { useState } from 'react'
import { deleteRoom, type ExportFormat, exportRoom, removeMember, renameRoom } from '@/index'
import { save } from '../save'
import { SERVER } from '../server'
import type { Session } from '../session'
import { goTo } from './useRoute'
import { useWork } from './useWork'

/** What can be done with the room as a whole. */
export function useRoomSettings(roomId: string, { token, userId }: Session) {
  const [isOpen, setOpen] = useState(false)
  const { isBusy, problem, run } = useWork()
  const options = { url: SERVER, token }
  const leave = (work: () => Promise<void>) =>
    void run(work).then((done) => {
      if (done) goTo({ page: 'home' })
    })
  return {
    isOpen,
    open: () => setOpen(true),
    close: () => setOpen(false),
    isBusy,
    problem,
    onRename: (title: string) =>
      void run(async () => {
        await renameRoom(roomId, title, options)
        setOpen(false)
      }),
    onExport: (format: ExportFormat) =>
      void run(async () => save(await exportRoom(roomId, format, options))),
    onDelete: () => leave(() => deleteRoom(roomId, options)),
    onLeave: () => leave(() => removeMember(roomId, userId, options)),
  }
}
