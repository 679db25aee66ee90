import { useRef, useState, type DragEvent, type ReactNode } from 'react';
import { Upload } from 'lucide-react';

interface DropZoneProps {
  /** What a drop does: `Load the images`. */
  readonly label: string;
  readonly disabled: boolean;
  readonly onFiles: (files: readonly File[]) => void;
  readonly children: ReactNode;
}

/** Takes files dropped anywhere on it, and says so while they are held over it. Never the only way: there is a button too. */
export function DropZone({ label, disabled, onFiles, children }: DropZoneProps) {
  const [over, setOver] = useState(false);
  // Entering a child leaves its parent: only as many leaves as enters mean outside.
  const depth = useRef(0);
  const turn = (event: DragEvent, step: number) => {
    if (disabled || !event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    depth.current = Math.max(0, depth.current + step);
    setOver(depth.current > 0);
  };
  const drop = (event: DragEvent) => {
    turn(event, -depth.current);
    if (!disabled && event.dataTransfer.files.length > 0) onFiles(Array.from(event.dataTransfer.files));
  };
  return (
    <div
      className="drop-zone"
      onDragEnter={(event) => turn(event, 1)}
      onDragOver={(event) => turn(event, 0)}
      onDragLeave={(event) => turn(event, -1)}
      onDrop={drop}
    >
      {children}
      {over ? (
        <div className="drop-veil">
          <Upload className="icon" aria-hidden />
          <strong>{label}</strong>
        </div>
      ) : null}
    </div>
  );
}
