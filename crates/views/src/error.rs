//! Why the view cannot be read or written.

use rusqlite::ErrorCode;
use thiserror::Error;

use crate::query::QueryError;

/// Why a call on the view failed. Nothing is lost: the view is made anew from the log.
#[derive(Debug, Error)]
pub enum ViewError {
    /// The file is not the view that it should be; throw it away and rebuild it.
    #[error("the view is damaged")]
    Damaged {
        /// What SQLite found.
        source: rusqlite::Error,
    },
    /// The disk or the file failed; the same call may succeed later.
    #[error("the view cannot be used")]
    Failed {
        /// What SQLite or the system said.
        source: rusqlite::Error,
    },
    /// The file of the view cannot be made or taken away.
    #[error("the file of the view cannot be made")]
    File {
        /// What the system said.
        source: std::io::Error,
    },
    /// What was asked for has no answer; the question must change.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl ViewError {
    /// Names the error for programs.
    pub fn code(&self) -> &'static str {
        match self {
            ViewError::Damaged { .. } => "view-damaged",
            ViewError::Failed { .. } => "view-failed",
            ViewError::File { .. } => "view-file",
            ViewError::Query(error) => error.code(),
        }
    }

    /// Says what is wrong in Vietnamese.
    pub fn cause_vi(&self) -> String {
        match self {
            ViewError::Damaged { .. } => "danh sách bị hỏng".to_owned(),
            ViewError::Failed { .. } => "không dùng được danh sách".to_owned(),
            ViewError::File { .. } => "không tạo được tệp danh sách".to_owned(),
            ViewError::Query(error) => error.cause_vi(),
        }
    }

    /// Says what to do in Vietnamese.
    pub fn remedy_vi(&self) -> &'static str {
        match self {
            ViewError::Damaged { .. } => "chờ dựng lại từ nhật ký, sau đó kiểm tra ổ đĩa",
            ViewError::Failed { .. } | ViewError::File { .. } => {
                "kiểm tra thư mục dữ liệu ghi được và ổ đĩa còn chỗ, rồi hỏi lại"
            }
            ViewError::Query(error) => error.remedy_vi(),
        }
    }

    /// Says what to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            ViewError::Damaged { .. } => {
                "wait: it is rebuilt from the log; then check the disk that it lies on"
            }
            ViewError::Failed { .. } | ViewError::File { .. } => {
                "check that the data folder is writable and its disk has room, then ask again"
            }
            ViewError::Query(error) => error.remedy(),
        }
    }
}

impl From<rusqlite::Error> for ViewError {
    fn from(source: rusqlite::Error) -> ViewError {
        // A table or column that is not there means the same as bytes that do not read: this is
        // no view of this version.
        let code = source.sqlite_error_code();
        let strange = matches!(
            code,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
        );
        let misread = matches!(
            source,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
        );
        if strange || misread {
            ViewError::Damaged { source }
        } else {
            ViewError::Failed { source }
        }
    }
}
